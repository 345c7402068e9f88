"""The schema's truth. Alembic migrations are checked against it; run-time SQL is in each `queries.py`.

Each module is some tables; all are imported here, so that `Model.metadata` has every one.
"""

from shared.db.models.archive import Archive, ArchivePart, Erasure, ErasureDay, Hold, Recall, RetentionWait
from shared.db.models.audit import Audit, AuditHead
from shared.db.models.counts import DeliveryCount, DeliveryTimes, EventCount, Rollup, RollupMark, Traffic
from shared.db.models.model import Model
from shared.db.models.outside import Invitation, OutsideIdentity
from shared.db.models.people import ApiKey, Member, Project, Role, SigningKey, SignInLink, User
from shared.db.models.producers import EventSchema, EventType, Producer, Source
from shared.db.models.replays import Replay, ReplaySink
from shared.db.models.searches import SavedSearch
from shared.db.models.shards import Dispatcher, Shard, StreamClock, Tick
from shared.db.models.stream import Attempt, Delivery, Event
from shared.db.models.subscriptions import SinkHealth, Subscription, SubscriptionVersion
from shared.db.models.ways_in import Notice, Passkey, RecoveryCode, TotpSecret

__all__ = [
    "ApiKey",
    "Archive",
    "ArchivePart",
    "Attempt",
    "Audit",
    "AuditHead",
    "Delivery",
    "DeliveryCount",
    "DeliveryTimes",
    "Dispatcher",
    "Erasure",
    "ErasureDay",
    "Event",
    "EventCount",
    "EventSchema",
    "EventType",
    "Hold",
    "Invitation",
    "Member",
    "Model",
    "Notice",
    "OutsideIdentity",
    "Passkey",
    "Producer",
    "Project",
    "Recall",
    "RecoveryCode",
    "Replay",
    "ReplaySink",
    "RetentionWait",
    "Role",
    "Rollup",
    "RollupMark",
    "SavedSearch",
    "Shard",
    "SignInLink",
    "SigningKey",
    "SinkHealth",
    "Source",
    "StreamClock",
    "Subscription",
    "SubscriptionVersion",
    "Tick",
    "TotpSecret",
    "Traffic",
    "User",
]
