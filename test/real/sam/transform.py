"""Prints, as JSON, what SAM's own translator makes of the template that it is given: what CloudFormation deploys.

Runs in the environment that install.sh makes, and asks AWS nothing: every role of the template is its own, so no managed
policy has to be looked up.
"""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # `sam package` has uploaded the folder by then; the translator takes no path of this machine.
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
print(json.dumps(transform(template, {}, NoManagedPolicies())))
