from pydantic.main import BaseModel
