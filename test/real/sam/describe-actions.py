"""What AWS's service authorization reference says of actions, as policy_sentry has it: a JSON list of actions on standard
input, and for each, on standard output, the kinds of resources that it knows (`*`: none) and its condition keys.

Runs in the environment that `install.sh checkov` makes; checkov itself brings policy_sentry.
"""

import json
import sys

from policy_sentry.querying.actions import get_action_data


def describe(action):
    service, name = action.split(":")
    entries = (get_action_data(service, name) or {}).get(service, [])
    return {
        "name": entries[0]["action"] if entries else None,
        "resources": sorted({entry["resource_arn_format"] for entry in entries}),
        "keys": sorted({key for entry in entries for key in entry["condition_keys"]}),
    }


print(json.dumps({action: describe(action) for action in json.load(sys.stdin)}))
