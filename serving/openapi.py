"""The OpenAPI document, with an example of every answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.middleware.rate_limit import UNLIMITED_PATHS
from serving.problems import MEDIA_TYPE, documented

_OF_TYPE = {"boolean": False, "integer": 0, "number": 0, "string": "", "object": {}, "null": None}


def _example(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """An example of ``schema``, made of the examples of its parts."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(components[schema["$ref"].rpartition("/")[2]], components)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "properties" in schema:
        return {name: _example(part, components) for name, part in schema["properties"].items()}
    if schema["type"] == "array":
        return [_example(schema["items"], components)]
    return _OF_TYPE[schema["type"]]


def operation_id(route: APIRoute) -> str:
    """The name of the route's function, which is what generated clients call the operation."""
    return route.name


def _too_many_requests() -> dict[str, Any]:
    """The response of the rate limit, which no route knows of."""
    (described,) = documented({429: "At most 1200 per 1 minute are answered."}).values()
    described["content"][MEDIA_TYPE]["schema"] = {"$ref": "#/components/schemas/Problem"}
    return {name: described[name] for name in ("description", "content")}


def install(app: FastAPI) -> None:
    """Complete what FastAPI generates: problems are described under the media type that they are
    sent with, and every answer has an example."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = generate()
        components = schema["components"]["schemas"]
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                if path not in UNLIMITED_PATHS:
                    operation["responses"]["429"] = _too_many_requests()
                for status, response in operation["responses"].items():
                    described = response["content"].get("application/json")
                    if described is None:
                        continue
                    if int(status) >= 400:
                        del response["content"]["application/json"]
                        response["content"][MEDIA_TYPE] |= described
                    else:
                        described["example"] = _example(described["schema"], components)
        return schema

    app.openapi = document  # type: ignore[method-assign]
