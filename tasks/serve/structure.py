"""What a text is to be held to, in a request: OpenAI's `response_format`, and vLLM's `structured_outputs` for expressions."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Schema = dict[str, Any]
ANY_OBJECT: Schema = {"type": "object"}


class NamedSchema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: str = Field(pattern="^[a-zA-Z0-9_-]{1,64}$")
    content: Schema = Field(alias="schema")
    description: str | None = None
    strict: bool | None = Field(None, description="accepted for the client's sake: every schema is kept to")


class ResponseFormat(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @model_validator(mode="after")
    def _schema_where_it_belongs(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("a json_schema belongs to the type json_schema, and to no other")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """As sampling options."""
        if self.type == "text":
            return {}
        return {"json_schema": self.json_schema.content if self.json_schema else ANY_OBJECT}


class StructuredOutputs(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    regex: str | None = Field(None, description="matches the text as a whole; the syntax is that of Rust's `regex`")
    content: Schema | None = Field(None, alias="json", description="a JSON schema")
    grammar: Literal["python"] | None = Field(
        None, description="the text is the body of a Python function, whose head is the prompt"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.regex, self.content, self.grammar)) != 1:
            raise ValueError("either a regex, a json schema, or a grammar")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """As sampling options."""
        options = {"json_schema": self.content, "regex": self.regex, "grammar": self.grammar}
        return {name: value for name, value in options.items() if value is not None}
