from django.views.generic.base import View


class APIView(View):
    permission_classes = ()

    def initial(self, request, *args, **kwargs):
        pass
