"""Fixtures: one server for each test module, so that modules can run side by side."""

import pytest

from harness.hosting import Hosting
from harness.scaling import Scaling
from harness.server import Server


@pytest.fixture(scope="module")
def server_config():
    """The text of the server's configuration file; a module that needs one overrides this."""


@pytest.fixture(scope="module")
def server_arguments():
    """What else `tidegate up` is told; a module that needs something overrides this."""
    return []


@pytest.fixture(scope="module")
def server(server_config, server_arguments):
    made = Server(config=server_config, arguments=server_arguments)
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture(scope="module")
def hosting(server):
    return Hosting(server)


@pytest.fixture(scope="module")
def scaling(hosting):
    return Scaling(hosting)


@pytest.fixture(scope="module")
def iam(server):
    return server.client("iam")


@pytest.fixture(scope="module")
def sagemaker(hosting):
    return hosting.sagemaker


@pytest.fixture(scope="module")
def runtime(hosting):
    return hosting.runtime


@pytest.fixture(scope="module")
def echo(hosting):
    """An endpoint that answers what it is sent, with one variant `main` of one instance."""
    return hosting.echo_endpoint()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    server = item.funcargs.get("server") if hasattr(item, "funcargs") else None
    if report.failed and isinstance(server, Server):
        report.sections.append(("server log, its end", server.log()[-6000:]))
