class TypeAdapter:
    def validate_python(self, object, /, *, strict=None, extra=None, from_attributes=None, context=None):
        return self.validator(object)
