select published_edition() as revision
