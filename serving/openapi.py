"""The OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from serving.problems import MEDIA_TYPE


def install(app: FastAPI) -> None:
    """Describe the problems under the media type that they are sent with; FastAPI describes
    every model as ``application/json``."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = generate()
        for path in schema["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        described = response["content"].pop("application/json")
                        response["content"][MEDIA_TYPE] |= described
        return schema

    app.openapi = document  # type: ignore[method-assign]
