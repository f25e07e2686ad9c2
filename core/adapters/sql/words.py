"""Words of a take outside its row, and their end with it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.adapters.sql.tables import StewardActionRow
from core.ports.work import subject_of_artifact

FORGOTTEN = "(gone with the voice)"


def forget_words(session: Session, artifact_id: int) -> None:
    """Take the words of an ended artifact out of the trail too: that a steward changed them stays, they do not."""
    rows = session.execute(
        select(StewardActionRow).where(StewardActionRow.subject == subject_of_artifact(artifact_id))
    ).scalars()
    for row in rows:
        row.before, row.after = (
            {name: FORGOTTEN if name == "topic_tag" and value else value for name, value in said.items()}
            for said in (row.before, row.after)
        )
    session.flush()
