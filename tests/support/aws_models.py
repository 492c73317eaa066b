"""What tests with moto would otherwise repeat for each client and call: parsing AWS's service models and rules of
endpoints, building the same classes, looking at the same functions, and generating RSA keys."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.client
import botocore.hooks
import botocore.httpsession
import botocore.loaders
import botocore.regions
import botocore.session
import botocore.useragent
import moto.core.models
import moto.core.responses
import moto.core.serialize
import moto.kms.models
from botocore.endpoint_provider import EndpointProvider
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.parsing import ast_nodes, validators
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

from support import light_clients


class _Unique(list[str]):
    """Every boto3 session appends its own folder to the search paths of its loader."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


@cache
def _shared_loader() -> Any:
    loader = botocore.loaders.create_loader()
    loader._search_paths = _Unique(loader.search_paths)
    return loader


_plain_alias = botocore.hooks.EventAliaser._alias_event_name
_names: dict[str, str] = {}


def _alias_event_name(self: Any, name: str) -> str:
    """The aliases are the same in every session."""
    if name not in _names:
        _names[name] = _plain_alias(self, name)
    return _names[name]


def _accepts_kwargs() -> Callable[[Any], Any]:
    """By function, so that no bound method, and with it no client, is kept."""
    look = cache(botocore.hooks.accepts_kwargs)
    return lambda handler: look(getattr(handler, "__func__", handler))


_plain_class = botocore.client.ClientCreator._create_client_class
_classes: dict[str, Any] = {}


def _create_client_class(self: Any, service: str, model: Any) -> Any:
    """One class per service: every session adds the same to it."""
    if service not in _classes:
        _classes[service] = _plain_class(self, service, model)
    return _classes[service]


_endpoints: dict[Any, Any] = {}


def _endpoint_provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
    """One per service: the shared loader returns the same rules each time."""
    known = (id(ruleset_data), frozenset(excluded_params or ()))
    if known not in _endpoints:
        _endpoints[known] = EndpointProvider(ruleset_data, partition_data, excluded_params)
    return _endpoints[known]


def _remember_keys(picker: Any) -> None:
    """moto tries several names for each member of a response. They depend on the member and on the object's type."""
    plain, names = picker.get_possible_keys, {}

    def get_possible_keys(self: Any, context: Any) -> list[str]:
        known = (type(self), *self.alias_providers, type(context.obj), context.shape, context.key)
        if known not in names:
            names[known] = list(plain(self, context))
        return names[known]

    picker.get_possible_keys = get_possible_keys


class _NoAbc(type(ast_nodes.Node)):  # type: ignore[misc]
    """No class is registered as a subclass of a node: the test of an abstract class, which is slow, is not needed."""

    __instancecheck__ = type.__instancecheck__


_plain_make = UpdateExpressionParser.make
_pickled: dict[int, bytes] = {}


@cache
def _make(expression: str) -> Any:
    parsed = _plain_make(expression)
    _pickled[id(parsed)] = pickle.dumps(parsed)
    return parsed


def _copy_parsed(value: Any) -> Any:
    """moto changes only a copy of a parsed expression."""
    return pickle.loads(_pickled[id(value)]) if id(value) in _pickled else copy.deepcopy(value)  # noqa: S301


_count_all = validators.ActionCountValidator.verify_action_counts


def _count_once(self: Any, node: Any) -> Any:
    """The count at the root includes those below it."""
    return node if node.parent else _count_all(self, node)


_serialize = BaseJSONSerializer._serialize_type_structure


def _serialize_structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """DynamoDB's texts and numbers are in moto what they are in a response."""
    if shape.name == "AttributeValue" and isinstance(value, dict) and value.keys() in ({"S"}, {"N"}):
        self._default_serialize(serialized, value, shape, key)
    else:
        _serialize(self, serialized, value, shape, key)


_project = Item.project


def _project_once(self: Any, expressions: Any) -> Any:
    """moto would read the whole item for each expression."""
    read = self.to_regular_json()
    self.to_regular_json = lambda: read
    try:
        return _project(self, expressions)
    finally:
        del self.to_regular_json


_processed: dict[tuple[type[Any], type[Any]], bool] = {}


def _is_processed(processor: Any, node: type[Any]) -> bool:
    known = (type(processor), node)
    if known not in _processed:
        _processed[known] = issubclass(node, tuple(processor._processing_map()))
    return _processed[known]


def _traverse(self: Any, node: Any, child_id: int = -1) -> Any:
    """moto would look up what it processes at each node of each of ten traversals."""
    if not isinstance(node, ast_nodes.Node):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, number)
        if isinstance(child, ast_nodes.Node):
            _traverse(self, child, number)
    if _is_processed(self, type(node)):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def share() -> None:
    """For every session that is made from now on. moto gives even a symmetric key an RSA key, which no test uses."""
    botocore.session.create_loader = lambda _data_path=None: _shared_loader()
    botocore.hooks.accepts_kwargs = _accepts_kwargs()
    botocore.hooks.EventAliaser._alias_event_name = _alias_event_name
    moto.core.models.RESPONSES_METHODS = []  # for `requests`, which no client uses
    moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
    moto.kms.models.generate_private_key = cache(moto.kms.models.generate_private_key)
    botocore.client.ClientCreator._create_client_class = _create_client_class
    botocore.regions.EndpointProvider = _endpoint_provider
    light_clients.use()
    botocore.httpsession.create_urllib3_context = cache(botocore.httpsession.create_urllib3_context)
    botocore.useragent.sanitize_user_agent_string_component = cache(
        botocore.useragent.sanitize_user_agent_string_component
    )
    _remember_keys(moto.core.serialize.AttributePicker)
    _remember_keys(moto.core.serialize.XFormedAttributePicker)
    for node in vars(ast_nodes).values():
        if isinstance(node, type) and issubclass(node, ast_nodes.Node):
            node.__class__ = _NoAbc
    UpdateExpressionParser.make = _make
    validators.deepcopy = _copy_parsed
    validators.ActionCountValidator.verify_action_counts = _count_once
    ast_nodes.DepthFirstTraverser.traverse_node_recursively = _traverse
    BaseJSONSerializer._serialize_type_structure = _serialize_structure
    Item.project = _project_once
