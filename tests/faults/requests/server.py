"""A server as `aigc serve` starts it, for bundles that are not registered: `python server.py WORKSPACE NAME=FOLDER ...`"""

import json
import sys
from pathlib import Path

from tasks.serve.doors.opening import Doors
from tasks.serve.run import serve
from tasks.serve.worker import Served
from tasks.stage.settings import Workspace
from tasks.use.provenance import Identity

workspace, limits = Workspace(Path(sys.argv[1])), [each for each in sys.argv[2:] if each.startswith("limit:")]
bundles = dict(each.split("=", 1) for each in sys.argv[2:] if each not in limits)
models = {
    name: Served.bundle(Identity(model=name, version="1", dataset=name, data_version="d4ta"), Path(folder))
    for name, folder in bundles.items()
}
doors = Doors.of(workspace, "127.0.0.1", [each.removeprefix("limit:") for each in limits])
serve(models, "127.0.0.1", 0, lambda what, value: print(json.dumps({what: value}), flush=True), doors=doors)
