from django.db.models import Prefetch
