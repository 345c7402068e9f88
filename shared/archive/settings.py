"""Where the archive is."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from shared.runtime.environment import FromEnvironment


class ArchiveSettings(FromEnvironment):
    """`archive_url` is `file:///var/lib/weir/archive`, or `s3://BUCKET/PREFIX`.

    Without one there is no archive, and nothing leaves the database that would have to go there; `weir up` names a
    folder of its home. `archive_endpoint` is the address of a store that is compatible with S3, `archive_region` its
    region where `AWS_REGION` does not say. Credentials come as the AWS SDKs look for them: from the environment, a web
    identity, a container's or an instance's role.
    """

    archive_url: str | None = None
    archive_endpoint: str | None = None
    archive_region: str | None = None
    archive_seconds: float = Field(default=20.0, gt=0, le=50)
    """How long one tick works on the archive at most; the next goes on."""

    @model_validator(mode="after")
    def _can_be_opened(self) -> Self:
        if self.archive_url is not None:
            parts = urlsplit(self.archive_url)
            if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
                return self
            if parts.scheme == "s3" and parts.netloc and not parts.query:
                return self
            raise ValueError("WEIR_ARCHIVE_URL has to be file:///FOLDER or s3://BUCKET/PREFIX")
        return self
