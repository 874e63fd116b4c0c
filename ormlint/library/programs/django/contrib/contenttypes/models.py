from django.db import models


class ContentType(models.Model):
    app_label = models.CharField()
    model = models.CharField()

    class Meta:
        app_label = "contenttypes"
