"""Prints, as JSON, the options with which `sam deploy` would run in the working folder, as its own command reads them."""

import json

from samcli.cli.context import Context
from samcli.cli.main import cli as sam

root = sam.make_context("sam", ["deploy"])
with root:
    _, command, words = sam.resolve_command(root, ["deploy"])
    deploy = command.make_context("deploy", words, parent=root)
    print(json.dumps({**deploy.params, "region": deploy.find_object(Context).region}, default=str))
