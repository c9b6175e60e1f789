"""The data about parts: accelerators, switches, links, NICs, facility, LLMs, each figure with its origin.

>>> from designer.catalogue import load_catalogue
>>> len(load_catalogue().accelerators)
30
"""

from designer.catalogue.facility import Facility, Rack
from designer.catalogue.figures import LEVELS, Basis, Figure, Level
from designer.catalogue.loading import (
    Catalogue,
    Row,
    catalogue_from_folder,
    catalogue_with,
    load_catalogue,
    nearest_rows,
)
from designer.catalogue.schema import Accelerator, Family, Link, Nic, NicOption, Switch, VendorDomain
from designer.catalogue.surroundings import (
    Compatibility,
    Components,
    FailureTest,
    GroupedQueryAttention,
    LatentAttention,
    Llm,
    Source,
)

__all__ = [
    "LEVELS",
    "Accelerator",
    "Basis",
    "Catalogue",
    "Compatibility",
    "Components",
    "Facility",
    "FailureTest",
    "Family",
    "Figure",
    "GroupedQueryAttention",
    "LatentAttention",
    "Level",
    "Link",
    "Llm",
    "Nic",
    "NicOption",
    "Rack",
    "Row",
    "Source",
    "Switch",
    "VendorDomain",
    "catalogue_from_folder",
    "catalogue_with",
    "load_catalogue",
    "nearest_rows",
]
