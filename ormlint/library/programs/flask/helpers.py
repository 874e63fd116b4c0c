def make_response(*args):
    return args[0]
