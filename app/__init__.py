"""glm-api: an OpenAI-compatible gateway to the caller's own accounts of the chatglm.cn web chat.

Imports nothing: gunicorn's master imports this package for its worker class, before anything is patched.
"""
