"""Of an archive that is mostly residue, the takes that still hold their sound are found by an index of their own

Revision: 0009, after: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HELD = "state = 'ACTIVE' AND raw_key IS NOT NULL"


def upgrade() -> None:
    op.create_index(
        "ix_artifact_active_raw_held",
        "artifact",
        ["raw_until"],
        sqlite_where=sa.text(HELD),
        postgresql_where=sa.text(HELD),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only expand; the previous version runs on the new schema")
