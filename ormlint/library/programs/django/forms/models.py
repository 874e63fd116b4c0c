"""A field that chooses among rows shows each of them as a text. Measured with Django 4.2 and 5.2."""

from django.forms.forms import BaseForm

from ormlint.intrinsics import is_unset


class BaseModelForm(BaseForm):
    def save(self, commit=True):
        if is_unset(self.instance):
            return self.new_instance  # of which nothing is known
        return self.instance


class ModelForm(BaseModelForm):
    pass


class ModelChoiceField:
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, queryset, *, widget=None, **kwargs):
        self.queryset = queryset
        self.widget = widget

    def label_from_instance(self, obj):
        return str(obj)


class ModelMultipleChoiceField(ModelChoiceField):
    pass
