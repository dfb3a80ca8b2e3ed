"""What dash_brain uses of Dash that Dash does not publish. No other package touches its private names.

What is used as it is in Dash is imported here; what is made of it is in the modules, by what they touch. All
others take it from here.
"""

from __future__ import annotations

from collections.abc import Callable

from dash._callback_context import context_value
from dash._grouping import flatten_grouping, make_grouping_by_index, map_grouping
from dash._no_update import NoUpdate
from dash._utils import clean_property_name, coerce_to_list, create_callback_id, stringify_id, to_json
from dash.dependencies import handle_grouped_callback_args

from dash_brain.web.dash_internals.callbacks import (
    add_hidden_callback,
    app_error_handler,
    background_manager_of,
    call_from,
    change_callbacks,
    clientside_source,
    declared_callbacks,
    follow_app,
    follow_app_made_later,
    has_waiting_callbacks,
    is_brain_callback,
    job_function,
    mark_as_brain_callback,
    prevents_initial_callbacks,
    registered,
    replace_error_handler,
    updated_props,
)
from dash_brain.web.dash_internals.components import (
    components_in,
    has_property,
    is_json,
    type_of_component,
    watch_sent_components,
)
from dash_brain.web.dash_internals.context import (
    JOB_CONTEXT,
    call_outside_callbacks,
    callback_context,
    forget_context_afterwards,
    is_api_call,
    is_asked_by_mcp,
    is_message,
    is_request_to,
    own_context,
)
from dash_brain.web.dash_internals.serving import (
    call_outside_requests,
    follow_requests,
    is_debugged,
    served_apps,
    unserved_apps,
    when_first_served,
)

__all__ = [
    "JOB_CONTEXT",
    "add_hidden_callback",
    "app_error_handler",
    "background_manager_of",
    "call_from",
    "call_outside_callbacks",
    "call_outside_requests",
    "callback_context",
    "change_callbacks",
    "clean_property_name",
    "clientside_source",
    "coerce_to_list",
    "components_in",
    "context_value",
    "create_callback_id",
    "declared_callbacks",
    "flatten_grouping",
    "follow_app",
    "follow_app_made_later",
    "follow_requests",
    "forget_context_afterwards",
    "handle_grouped_callback_args",
    "has_property",
    "has_waiting_callbacks",
    "is_api_call",
    "is_asked_by_mcp",
    "is_brain_callback",
    "is_debugged",
    "is_json",
    "is_message",
    "is_no_update",
    "is_request_to",
    "job_function",
    "make_grouping_by_index",
    "map_grouping",
    "mark_as_brain_callback",
    "own_context",
    "prevents_initial_callbacks",
    "registered",
    "replace_error_handler",
    "served_apps",
    "stringify_id",
    "to_json",
    "type_of_component",
    "unserved_apps",
    "updated_props",
    "watch_sent_components",
    "when_first_served",
]

is_no_update: Callable[[object], bool] = NoUpdate.is_no_update
