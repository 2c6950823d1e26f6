"""The product's own settings; benchmarks.pages_urls puts one empty view beside its addresses."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.pages_urls"
