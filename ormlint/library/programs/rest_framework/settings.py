class APISettings:
    pass


api_settings = APISettings()
