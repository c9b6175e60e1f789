"""Tokens to serve -> compute, memory and traffic -> serving plans. docs/token_model.md states the model."""

from designer.demand.efficiency import EfficiencyFigure, efficiency_figures, load_efficiency
from designer.demand.measured import MeasuredPoint, read_measured
from designer.demand.offers import DomainOffer, NearMiss, PlanSet
from designer.demand.plan import LATENCY_ALLOWANCES_US, ServingPlan
from designer.demand.plans import enumerate_plans
from designer.demand.prune import domains_needed, prune_dominated, sizes_needed

__all__ = [
    "LATENCY_ALLOWANCES_US",
    "DomainOffer",
    "EfficiencyFigure",
    "MeasuredPoint",
    "NearMiss",
    "PlanSet",
    "ServingPlan",
    "domains_needed",
    "efficiency_figures",
    "enumerate_plans",
    "load_efficiency",
    "prune_dominated",
    "read_measured",
    "sizes_needed",
]
