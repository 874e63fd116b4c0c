from django.http.request import HttpRequest
from django.http.response import FileResponse, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
