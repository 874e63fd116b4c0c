class HttpRequest:
    pass
