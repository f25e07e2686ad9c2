"""The kiosk

Revision: 0006, after: 0005
"""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "take_key",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("station", sa.String(length=80), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_key")),
    )
    op.create_index(op.f("ix_take_key_until"), "take_key", ["until"])


def downgrade() -> None:
    raise NotImplementedError("migrations only expand; the previous version runs on the new schema")
