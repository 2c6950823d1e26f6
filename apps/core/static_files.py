"""Static files as servestatic finds and answers them, without the event loop its own middleware insists on.

That middleware is asynchronous only: under WSGI it would send every request, of pages too, through another thread
twice, which costs five times what the rest of an empty view does.
"""

from collections.abc import Callable
from wsgiref.util import FileWrapper

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile


class StaticFiles:
    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._known = ServeStaticMiddleware(_nobody_asks)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path, known = request.path_info, self._known
        found = known.find_file(path) if known.autorefresh else known.files.get(path)
        return self._get_response(request) if found is None else _served(found, request)


def _served(found: StaticFile | Redirect, request: HttpRequest) -> HttpResponseBase:
    answer = found.get_response(request.method or "GET", request.META)
    status, file = int(answer.status), answer.file
    # A FileWrapper closes its file when the response is closed.
    response: HttpResponseBase = (
        HttpResponse(status=status) if file is None else StreamingHttpResponse(FileWrapper(file), status=status)
    )
    del response["Content-Type"]
    for name, value in answer.headers:
        if value is not None:
            response[name] = value
    return response


async def _nobody_asks(_request: HttpRequest) -> HttpResponseBase:
    """That middleware wants an asynchronous successor; only its table of files is used here."""
    return HttpResponse(status=404)
