from django.contrib.contenttypes.models import ContentType
from django.db import models


class Permission(models.Model):
    name = models.CharField()
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    codename = models.CharField()

    class Meta:
        app_label = "auth"


class Group(models.Model):
    name = models.CharField(unique=True)
    permissions = models.ManyToManyField(Permission, blank=True)

    class Meta:
        app_label = "auth"


class PermissionsMixin(models.Model):
    is_superuser = models.BooleanField()
    groups = models.ManyToManyField(Group, related_name="user_set", related_query_name="user")
    user_permissions = models.ManyToManyField(Permission, related_name="user_set", related_query_name="user")

    class Meta:
        abstract = True
        app_label = "auth"


class AbstractBaseUser(models.Model):
    password = models.CharField()
    last_login = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        app_label = "auth"


class AbstractUser(AbstractBaseUser, PermissionsMixin):
    username = models.CharField(unique=True)
    first_name = models.CharField()
    last_name = models.CharField()
    email = models.EmailField()
    is_staff = models.BooleanField()
    is_active = models.BooleanField()
    date_joined = models.DateTimeField()

    class Meta:
        abstract = True
        app_label = "auth"


class User(AbstractUser):
    class Meta:
        app_label = "auth"
