"""Hardware of the vendors that may serve a pool."""

from __future__ import annotations

from collections.abc import Sequence

from designer.catalogue import Catalogue
from designer.demand.misses import layout_miss
from designer.demand.offers import DomainOffer, NearMiss
from designer.instance.pools import Pool


def made_by(
    pool: Pool, catalogue: Catalogue, hardware: Sequence[DomainOffer]
) -> tuple[list[DomainOffer], dict[str, NearMiss]]:
    """Pick the hardware of the vendors that its workload or fleet names, and say what stands in the way of the rest.

    Without `vendors` all hardware will do (``docs/rules.md`` section 6).
    """
    vendors = pool.demand.vendors
    if vendors is None:
        return list(hardware), {}
    makers = {name: catalogue.accelerators[name].vendor for name in dict.fromkeys(o.accelerator for o in hardware)}
    mine = [offer for offer in hardware if makers[offer.accelerator] in vendors]
    words = f"vendors of {pool.demand.name} is {', '.join(vendors)}"
    others = {name: maker for name, maker in makers.items() if maker not in vendors}
    return mine, {name: layout_miss(name, f"made by {maker}, and {words}") for name, maker in others.items()}
