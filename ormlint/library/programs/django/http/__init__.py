from django.http.response import FileResponse, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
