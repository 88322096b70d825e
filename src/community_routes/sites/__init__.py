"""A batch of development sites: read, judged block by block, kept, and written with a page for each."""

from __future__ import annotations

from community_routes.sites.batch import Outcome as Outcome
from community_routes.sites.batch import Status as Status
from community_routes.sites.batch import assess_sites as assess_sites
from community_routes.sites.batch import sites_status as sites_status

__all__ = ["Outcome", "Status", "assess_sites", "sites_status"]
