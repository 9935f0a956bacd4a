"""The bare FastAPI redirect that `bench.redirect` compares with: no capture, no atlas, no spool."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from bench.servers import DESTINATION

app = FastAPI()


@app.get("/{code}")
async def redirect(code: str) -> RedirectResponse:
    """Send everybody to the same place."""
    return RedirectResponse(DESTINATION, 302)
