"""Whatever is sent to the API of a real server, the answer is one that is documented, and never a fault of ours.

`schemathesis` makes the requests from the description that the server itself gives: fifty for each operation, valid and
invalid ones, the limits of every parameter, and chains in which one answer leads to the next request. The seed stands
in what a failing test prints.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash.test_erasing import told
from tests.processes import Demo

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 50
LONGEST = 300
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
#: There are many, for some of the requests delete them.
MANY = 20

CONFIG = """
[parameters]
{parameters}

[[operations]]
include-path = "/v1/embed/sessions"
headers = {{ Authorization = "Bearer {embed_key}" }}

[[operations]]
include-path = "/v1/embed/sessions/identify"
headers = {{ Authorization = "Bearer {token}" }}
"""


async def things_of(demo: Demo) -> dict[str, Any]:
    """What the requests can be about: parameters of paths, each with ids that are there."""
    async with aiohttp.ClientSession() as http:
        found: dict[str, list[str]] = {"interview_id": [], "person_id": [], "template_id": [], "secret_id": []}
        for number in range(MANY):
            made = await told(
                http,
                demo,
                "POST",
                "/v1/interviews",
                {"template_id": demo.config["template_id"], "persons": [{"external_id": f"person {number}"}]},
            )
            found["interview_id"].append(made["id"])
            found["person_id"].append(made["person"]["id"])
            raw = {"name": "n", "goals": [{"id": "g1", "prompt": "p"}]}
            found["template_id"].append((await told(http, demo, "POST", "/v1/templates", raw))["id"])
            secret = {"name": f"secret_{number}", "value": "v"}
            found["secret_id"].append((await told(http, demo, "POST", "/v1/secrets", secret))["id"])
        url = f"{demo.config['url']}/v1/embed/sessions"
        key = {"Authorization": f"Bearer {demo.config['embed_key']}"}
        async with http.post(url, json={"external_id": "ada"}, headers=key) as answer:
            token = (await answer.json())["token"]
    return {"parameters": found, "token": token}


@pytest.mark.long
@pytest.mark.timeout(LONGEST + 30)
async def test_no_request_breaks_the_server(tmp_path: Path) -> None:
    with Demo(tmp_path / "data", limits="off", scripted_cps="0") as demo:
        things = await things_of(demo)
        config = tmp_path / "schemathesis.toml"
        parameters = "\n".join(f"{name} = {ids!r}" for name, ids in things["parameters"].items())
        config.write_text(
            CONFIG.format(parameters=parameters, token=things["token"], embed_key=demo.config["embed_key"])
        )
        process = await asyncio.create_subprocess_exec(
            *(str(SCHEMATHESIS), "--config-file", str(config), "run", f"{demo.config['url']}/openapi.json"),
            *("-H", f"Authorization: Bearer {demo.config['secret_key']}", "--no-color"),
            *("--phases", "coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES), "--checks", CHECKS),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        async with asyncio.timeout(LONGEST):
            printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()[-20_000:]
