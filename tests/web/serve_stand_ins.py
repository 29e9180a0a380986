"""Runs the app with small parts as a process that can be killed: DATA_DIR PORT."""

import sys
from pathlib import Path

import uvicorn
from stand_ins import open_stand_ins, settings_in

from assist.web.app import create_app

if __name__ == "__main__":
    app = create_app(settings=settings_in(Path(sys.argv[1]), auth=False, port=int(sys.argv[2])), engine=open_stand_ins)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_config=None, timeout_graceful_shutdown=2)
