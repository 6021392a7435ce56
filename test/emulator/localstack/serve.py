"""Runs LocalStack until standard input ends, so that it never outlives the tests, however they end.

LocalStack runs functions in containers. Here each one is a process of Node on this machine, without a container.
Arguments: Node's program, the program that serves one function, and a file to which the credentials of each function
are added, one JSON object a line, for whoever has to check what the function signs.
"""

import json
import os
import subprocess
import sys
import threading

NODE, RUN_FUNCTION, CREDENTIALS_FILE = sys.argv[1:4]


def end_with_input() -> None:
    sys.stdin.buffer.read()
    for child in list(children):
        child.kill()
    os._exit(0)


children: set[subprocess.Popen] = set()
threading.Thread(target=end_with_input, daemon=True).start()

from localstack import config  # noqa: E402
from localstack.runtime.main import main  # noqa: E402
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc  # noqa: E402
from localstack.services.lambda_ import provider  # noqa: E402
from localstack.services.lambda_.invocation import execution_environment, version_manager  # noqa: E402
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint  # noqa: E402
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor  # noqa: E402
from localstack.utils.net import get_free_tcp_port  # noqa: E402
from twisted.internet import endpoints  # noqa: E402

LOOPBACK = "127.0.0.1"


class LoopbackEndpoint(endpoints.TCP4ServerEndpoint):
    """LocalStack takes the host of GATEWAY_LISTEN, and then listens on all addresses."""

    def __init__(self, reactor, port) -> None:
        super().__init__(reactor, port, interface=LOOPBACK)


endpoints.TCP4ServerEndpoint = LoopbackEndpoint


class ProcessExecutor(RuntimeExecutor):
    """One execution environment of a function: a process that answers one invocation after another."""

    def __init__(self, id, function_version) -> None:
        super().__init__(id=id, function_version=function_version)
        self.endpoint = ExecutorEndpoint(id, LOOPBACK, get_free_tcp_port())
        self.child = None

    def start(self, env_vars) -> None:
        self.endpoint.start()
        code = str(self.function_version.config.code.get_unzipped_code_location())
        with open(CREDENTIALS_FILE, "a") as file:
            file.write(json.dumps(credentials_of(env_vars, self.function_version.config.role)) + "\n")
        environment = {
            **{name: str(value) for name, value in env_vars.items()},
            "PATH": os.environ["PATH"],
            "LAMBDA_TASK_ROOT": code,
            "FUNCTION_PORT": str(self.endpoint.container_port),
        }
        self.child = subprocess.Popen([NODE, RUN_FUNCTION], env=environment, cwd=code)
        children.add(self.child)
        self.endpoint.wait_for_startup()

    def stop(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            children.discard(self.child)
        self.endpoint.shutdown()

    def get_address(self) -> str:
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}{self.endpoint.get_endpoint_prefix()}"

    def invoke(self, payload):
        return self.endpoint.invoke(payload)

    def get_logs(self) -> str:
        return ""

    @classmethod
    def prepare_version(cls, function_version) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version) -> None:
        pass


def credentials_of(env_vars, role) -> dict:
    return {
        "accessKeyId": env_vars["AWS_ACCESS_KEY_ID"],
        "secretAccessKey": env_vars["AWS_SECRET_ACCESS_KEY"],
        "sessionToken": env_vars["AWS_SESSION_TOKEN"],
        "arn": role,
    }


for module in (execution_environment, provider, version_manager):
    module.get_runtime_executor = lambda: ProcessExecutor


def resolve_mapping(self, map_name, top_level_key, second_level_key):
    """CloudFormation takes a parameter of type Number as the key of a mapping."""
    return original_resolve_mapping(self, map_name, str(top_level_key), second_level_key)


original_resolve_mapping = ChangeSetModelPreproc._resolve_mapping
ChangeSetModelPreproc._resolve_mapping = resolve_mapping

main()
