from django.contrib.admin.options import ModelAdmin, StackedInline, TabularInline
from django.contrib.admin.sites import AdminSite, site
