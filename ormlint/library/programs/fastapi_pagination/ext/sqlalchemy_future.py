from fastapi_pagination.ext.sqlalchemy import apaginate, paginate
