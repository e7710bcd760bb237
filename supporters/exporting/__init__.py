"""Lists, segments and reports as files.

guarding   cells that no spreadsheet program calculates
listings   what can be exported, declared by each app in its module `exports`
consents   what people allow, beside everybody who is exported
change_list  a list of the staff site as somebody has filtered it
rows       the rows of a listing, as a stream
formats    csv, xlsx, ods and json, written as the rows come
making     the life of an export: asked for, made, fetched, forgotten
"""
