class Accessor:
    def __init__(self, value=None, callable_args=None, callable_kwargs=None):
        self.path = value


A = Accessor
