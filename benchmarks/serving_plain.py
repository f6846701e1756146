"""The plain way to serve the published jobs, to compare with: SQLAlchemy, ILIKE, count(*)."""

from __future__ import annotations

import os
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from sqlalchemy import MetaData, Table, create_engine, func, or_, select

engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"), pool_size=10
)
jobs = Table("jobs", MetaData(), autoload_with=engine)
shown = [column for column in jobs.columns if column.name not in ("search", "description")]
app = FastAPI()


@app.get("/api/jobs")
def list_jobs(search: str | None = None, limit: int = 50, offset: int = 0) -> dict[str, Any]:
    query = select(*shown).where(jobs.c.status != "closed")
    if search:
        like = f"%{search}%"
        query = query.where(or_(jobs.c.title.ilike(like), jobs.c.description.ilike(like)))
    page = query.order_by(jobs.c.posted_at.desc()).limit(limit).offset(offset)
    with engine.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(query.subquery()))
        rows = connection.execute(page).mappings().all()
    return {"total": total, "jobs": [dict(row) for row in rows]}


@app.get("/api/jobs/{job_id}")
def read_job(job_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
    if row is None:
        raise HTTPException(404)
    return {name: value for name, value in row.items() if name != "search"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["API_PORT"]), log_config=None, access_log=False)
