"""The sensor

Revision: 0007, after: 0006
"""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sensor_word",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("overruled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sensor_word")),
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only expand; the previous version runs on the new schema")
