"""What all that one pass does has in common: an id, in its requests to Azure, its lines in the log and its Events; and the
custom resource that it is about.

What a pass has started and leaves to go on (the watch of an operation, a reading of the inventory) keeps both.
"""

from contextvars import ContextVar

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
resource: ContextVar[str] = ContextVar("resource", default="")
# Annotation of an Event, as a note with it would make each repetition an Event of its own.
ANNOTATION = "azurebastion.dev/correlation-id"
