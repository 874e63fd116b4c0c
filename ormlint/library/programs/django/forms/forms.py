from ormlint.intrinsics import choice_fields


class BaseForm:
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, data=None, files=None, auto_id=None, prefix=None, initial=None, **kwargs):
        self.fields = choice_fields(self)


class Form(BaseForm):
    pass
