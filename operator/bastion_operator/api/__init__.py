"""The custom resources of azurebastion.dev/v1beta1 as pydantic models, and the CRDs generated from them."""
