"""The error tree. Every error that may leave the service has a `code` and an HTTP `status`.

AssistError                  500 internal
├── BadRequest               400 bad_request          the caller's input breaks a rule
│   ├── TooLarge             413 too_large            a body or text over its limit
│   └── Unprocessable        422 unprocessable        the fields do not have the documented form
├── Unauthenticated          401 unauthenticated      no key, or a key that is not known
├── Forbidden                403 forbidden            the key's role may not do this
├── NotFound                 404 not_found            nothing with this id
├── Conflict                 409 conflict             the state does not allow it (a closed conversation, an id in use)
├── Overloaded               429 overloaded           the queue before the model is full, or a rate limit
├── Unavailable              503 unavailable          no index or database yet
├── SettingsError            500 settings             a setting is unsafe or not understood; refused at start
├── ModelError               500 model                a model file is missing, damaged or not the one in the manifest
└── KnowledgeError           400 knowledge            an article, case, phrase or product file is broken
    └── IndexBroken          500 index                an index folder is missing or damaged
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class AssistError(Exception):
    """Base of all errors that are ours. `details` is safe to show to a caller."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class BadRequest(AssistError):
    """The caller's input breaks a rule."""

    code = "bad_request"
    status = 400


class TooLarge(BadRequest):
    """A body, text or list is over its limit."""

    code = "too_large"
    status = 413


class Unprocessable(BadRequest):
    """The fields do not have the documented form."""

    code = "unprocessable"
    status = 422


class Unauthenticated(AssistError):
    """No key was sent, or it is not known."""

    code = "unauthenticated"
    status = 401


class Forbidden(AssistError):
    """The key is known, but its role may not do this."""

    code = "forbidden"
    status = 403


class NotFound(AssistError):
    """Nothing has this id."""

    code = "not_found"
    status = 404


class Conflict(AssistError):
    """The state does not allow it: a closed conversation, an id that is in use."""

    code = "conflict"
    status = 409


class Overloaded(AssistError):
    """The queue before the model is full, or the caller is over the rate limit. Try again later."""

    code = "overloaded"
    status = 429


class Unavailable(AssistError):
    """A part that is needed is not ready: no index, no database."""

    code = "unavailable"
    status = 503


class SettingsError(AssistError):
    """A setting is unsafe or not understood. Raised at start, never later."""

    code = "settings"


class ModelError(AssistError):
    """A model file is missing, damaged or not the one that the manifest names."""

    code = "model"


class Problem:
    """One broken place in a knowledge file."""

    __slots__ = ("line", "message", "path")

    def __init__(self, path: str, line: int, message: str) -> None:
        self.path, self.line, self.message = path, line, message

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class KnowledgeError(AssistError):
    """Articles, cases, phrases or products are broken. `problems` names each file and line."""

    code = "knowledge"
    status = 400

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, {"problems": [str(p) for p in problems]})
        self.problems = tuple(problems)


class IndexBroken(KnowledgeError):
    """An index folder is missing or damaged. The service keeps the one that it has."""

    code = "index"
    status = 500
