"""A large archive: what is rare in it, or due, is found by an index

Revision: 0008, after: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTIVE = "state = 'ACTIVE'"
INDEXES = (
    ("draw_id", ["draw", "playable_until", "id"], ACTIVE),
    ("created_at", ["created_at"], ACTIVE),
    ("duration_ms", ["duration_ms"], ACTIVE),
    ("topic", ["topic"], f"{ACTIVE} AND topic <> ''"),
    ("status", ["status"], f"{ACTIVE} AND status <> ''"),
    ("flagged_at", ["flagged_at"], f"{ACTIVE} AND flagged_at IS NOT NULL"),
)


def upgrade() -> None:
    for name, columns, where in INDEXES:
        op.create_index(
            f"ix_artifact_active_{name}",
            "artifact",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_index(
        "ix_artifact_ended_state",
        "artifact",
        ["state"],
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index("ix_derivative_until", "derivative", ["until"])


def downgrade() -> None:
    raise NotImplementedError("migrations only expand; the previous version runs on the new schema")
