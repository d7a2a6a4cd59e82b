"""Label selectors, as Kubernetes' "Labels and Selectors" page defines them, and who may use an identity."""

from collections.abc import Mapping

from bastion_operator.api.azure_identity import AllowedNamespaces, LabelOperator, LabelRequirement, LabelSelector


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether labels meet every requirement; an empty selector matches everything."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _meets(requirement, labels) for requirement in selector.match_expressions
    )


def _meets(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    match requirement.operator:
        case LabelOperator.IN:
            return labels.get(requirement.key) in requirement.values
        case LabelOperator.NOT_IN:  # met as well where the label is absent
            return labels.get(requirement.key) not in requirement.values
        case LabelOperator.EXISTS:
            return requirement.key in labels
        case LabelOperator.DOES_NOT_EXIST:
            return requirement.key not in labels


def namespace_allowed(allowed: AllowedNamespaces | None, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether an identity may be used from a namespace with these labels. Nothing allowed: no."""
    if allowed is None:
        return False
    return namespace in allowed.names or (allowed.selector is not None and matches(allowed.selector, labels))
