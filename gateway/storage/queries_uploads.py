"""Named queries: payloads that tenants uploaded. The bytes are shared by content; who may know of them is a row of each tenant."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from gateway.ports import UploadRow
from gateway.storage.queries_documents import PUT_PAYLOAD
from gateway.storage.session import Session, Statement, columns_of, given, names_of
from gateway.storage.tables import uploads

UPLOAD = names_of(UploadRow)

u = uploads.c
ADD_UPLOAD = Statement(insert(uploads).inline(), UPLOAD)
UPLOAD_OF_TENANT = Statement(
    select(*columns_of(uploads, UploadRow)).where(
        u.tenant == given("tenant", u.tenant), u.digest == given("digest", u.digest)
    )
)
UPLOAD_OF_ANYBODY = Statement(
    select(*columns_of(uploads, UploadRow)).where(u.digest == given("digest", u.digest)).order_by(u.tenant).limit(1)
)
UPLOADED_BYTES = Statement(select(func.coalesce(func.sum(u.size), 0)).where(u.tenant == given("tenant", u.tenant)))


def upload(db: Session, tenant: str | None, digest: str) -> UploadRow | None:
    """What a tenant uploaded with this digest; tenant None: whoever did."""
    if tenant is None:
        row = db.one(UPLOAD_OF_ANYBODY, digest=digest)
    else:
        row = db.one(UPLOAD_OF_TENANT, tenant=tenant, digest=digest)
    return UploadRow(*row) if row else None


def uploaded_bytes(db: Session, tenant: str) -> int:
    """How much a tenant has uploaded."""
    row = db.one(UPLOADED_BYTES, tenant=tenant)
    return int(row[0]) if row else 0


def add_upload(db: Session, row: UploadRow) -> None:
    db.change(ADD_UPLOAD, {name: getattr(row, name) for name in UPLOAD})


def name_payload(db: Session, digest: str, media_type: str, size: int) -> None:
    """Name a payload whose file is on disk already."""
    db.change(PUT_PAYLOAD, {"digest": digest, "media_type": media_type, "size": size, "body": None})
