"""The only way out to the network: guarded, bounded in bytes, time and number."""

from .addresses import is_public
from .budget import Budget
from .fetcher import Fetch, Fetched, Fetcher, FetchFault, parse_allow

__all__ = ["Budget", "Fetch", "FetchFault", "Fetched", "Fetcher", "is_public", "parse_allow"]
