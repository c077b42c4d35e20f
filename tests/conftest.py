"""What holds for every test: no state outside the test's own folders, few threads."""

import os
import tempfile

# Prefect reads its settings when it is first imported, which may be at the collection of a test.
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="aigc-prefect-"))
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "AIGC_WORKSPACE", "AIGC_DEBUG"):
    os.environ.pop(name, None)
