class View:
    def dispatch_request(self):
        pass


class MethodView(View):
    pass
