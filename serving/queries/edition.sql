select published_edition() as edition
