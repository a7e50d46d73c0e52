"""PostgreSQL: the embedded server or a given one, logins and schemas, migrations, pools."""
