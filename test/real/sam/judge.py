"""Judges calls by policies: JSON on standard input, JSON on standard output.

In: {"statements": [...], "calls": [{"action", "resource", "context"}]}, where action and resource may be patterns, which
then stand for all that they match, and context pins condition keys. Out, for each call: null when no such call is
allowed, or an example of one that is. The solver looks at all of them, so null is a proof.

Runs in the environment that `install.sh iamprover` makes.
"""

import json
import sys

from iamprover.engine.solver import check_invariant
from iamprover.invariants import Invariant
from iamprover.model import Account, Principal
from iamprover.parsers.iam import parse_policy_document

given = json.load(sys.stdin)
document = {"Version": "2012-10-17", "Statement": given["statements"]}
principal = Principal(arn="arn:aws:iam::111122223333:role/judged", policies=[parse_policy_document("all", document)])
account = Account(principals=[principal])


def judge(call):
    forbidden = Invariant(
        id="call",
        description="",
        actions=[call["action"]],
        resources=[call["resource"]],
        where=call.get("context", {}),
    )
    for example in check_invariant(account, forbidden).counterexamples:
        return {"action": example.action, "resource": example.resource, "context": example.context}
    return None


print(json.dumps([judge(call) for call in given["calls"]]))
