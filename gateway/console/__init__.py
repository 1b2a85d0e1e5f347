"""The ops pages: who is stuck, since when, whose move it is, and what exactly was sent and answered.

Plain server-rendered pages in the API's own Flask application, in Chinese and English, without any script. They read
through the same view as the API does, so that a tenant sees here exactly what it sees there.
"""
